"""Telling people: changes of incidents become deliveries, and each delivery has a receipt."""
