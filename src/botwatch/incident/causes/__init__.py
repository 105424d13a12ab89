"""What changed before something went wrong: deploys, models, limits, documents, rules; and how sure each is why."""
