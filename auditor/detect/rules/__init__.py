"""The rules, by what they speak of: a class with an ``id`` in a module below here is a rule."""
