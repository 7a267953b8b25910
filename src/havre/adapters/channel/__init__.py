"""Speaking with other processes, behind `ports.channel`."""
