"""The web server: answers requests, and lets worker processes compute. It holds no mathematics."""
