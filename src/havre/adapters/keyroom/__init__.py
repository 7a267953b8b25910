"""The short-lived process in which secrets are whole, behind `ports.keyroom`."""
