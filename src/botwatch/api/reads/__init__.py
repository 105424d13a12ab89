"""What the routes read: SQL over the store, one file a subject, answered in the API's shapes.

Whatever comes from outside travels as a parameter of the engine, never in the text of a query.
"""
