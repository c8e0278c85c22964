"""Room: wire. Plain HTTP/1.1 in helper threads, for the requests that transfers are made of."""
