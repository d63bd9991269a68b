"""The fleet: agents that an operator enrolled, and what agent and server agree on.

An enrolled agent says which camera it holds (`statement`) and signs each frame (`frames`) with a
device key whose public part the operator entered here (`registry`).
"""
