"""The live page's server: Flask-SocketIO in gevent mode. Snapshots over HTTP, ticks over WebSockets.

Any number of these may run side by side: each reads the same Redis stream, and they share no state.
"""
