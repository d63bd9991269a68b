"""Status lists of this server: who gets which index, what became of each, and the signed tokens.

`allocation` gives indices out, `register` changes statuses and keeps why, `publishing` signs what
relying parties fetch or carry, `routes` serves it, and `lists` holds the three together. What a
list looks like and how it is verified is in `api.assertions.status_list`.
"""
