"""The WCO data model profile: declarations and responses as the United Kingdom and Denmark exchange them."""
