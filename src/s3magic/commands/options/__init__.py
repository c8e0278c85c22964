"""How a verb says what it takes, and what the options mean that several share."""
