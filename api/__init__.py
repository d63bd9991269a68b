"""The service, the device agent and the command line: the only place where chip and face meet."""
