-- The logins of docs/howto/secrets.md, with the passwords of a machine for trying things out.
CREATE ROLE certex_app NOLOGIN;
CREATE ROLE certex_owner LOGIN PASSWORD 'owner';
CREATE ROLE certex_bridge LOGIN PASSWORD 'bridge' IN ROLE certex_app;
-- An order of texts that no library below the server can change.
CREATE DATABASE certex OWNER certex_owner
    TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8';
