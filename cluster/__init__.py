"""The connection to Ray, plans of hosts, and checks of machines."""
