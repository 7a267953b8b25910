"""What the use cases ask of the outside: one Protocol a module, its promises in prose."""
