"""Customs: declaration events of any profile become facts about declarations."""
