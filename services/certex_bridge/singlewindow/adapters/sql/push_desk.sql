-- name: subscriptions
-- For people: those in force first, each with its oldest push not delivered.
SELECT s.*, head.number AS owed_from, head.attempts, head.next_try, head.last_error,
       (SELECT count(*) FROM push p WHERE p.subscription_id = s.subscription_id AND p.delivered_at IS NULL) AS owed
FROM subscription s
LEFT JOIN LATERAL (SELECT number, attempts, next_try, last_error FROM push p
                   WHERE p.subscription_id = s.subscription_id AND p.delivered_at IS NULL
                   ORDER BY number LIMIT 1) AS head ON true
WHERE $1 OR s.ended_at IS NULL ORDER BY s.ended_at IS NOT NULL, s.caller, s.created_at, s.subscription_id

-- name: named
-- Those whose id begins so.
SELECT subscription_id FROM subscription WHERE starts_with(subscription_id, $1) AND ended_at IS NULL LIMIT 2

-- name: pause
-- What comes meanwhile is kept.
UPDATE subscription SET paused = 'OPERATOR' WHERE subscription_id = $1

-- name: resume
-- Also one that its receiver had called gone.
UPDATE subscription SET paused = '' WHERE subscription_id = $1

-- name: retry
-- The next attempt is due now.
UPDATE push SET next_try = '-infinity' WHERE subscription_id = $1 AND delivered_at IS NULL AND next_try > now()

-- name: pushes
-- The newest ones.
SELECT subscription_id, number, kind, subject, created_at, attempts, delivered_at, next_try, last_error
FROM push WHERE $1 = '' OR starts_with(subscription_id, $1) ORDER BY created_at DESC, subscription_id, number DESC LIMIT $2
