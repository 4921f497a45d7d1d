"""Pure building blocks on the standard library alone: amounts, units, code lists, identifiers, dates, hashes."""
