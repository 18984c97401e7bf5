"""What a number of companies takes: machines, hours, bytes, dollars, and what breaks first; from measured figures."""
