# support - what the system tests and the demo share: guests, switches, namespaces, peers. Standard library only.
