# openflow - a driver that asks an OpenFlow switch, with real packets over real links, for all that the specification says.
