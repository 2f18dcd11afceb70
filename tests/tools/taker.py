#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A server on 127.0.0.1 that takes what it is sent: taker.py DIR. Prints its port once it listens.

Of the request number N it writes the body to DIR/N.body, and to DIR/N.token the values of TOKEN, a line each; then it
answers: 200, or 403 where there is no TOKEN. Knows no Alation, and no right token from a wrong one. Ends by SIGTERM.
"""
import http.server
import itertools
import sys

numbers = itertools.count(1)


class Taker(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def body(self):
        if self.headers.get('Transfer-Encoding') != 'chunked':
            return self.rfile.read(int(self.headers.get('Content-Length', 0)))
        pieces = []
        while True:
            size = int(self.rfile.readline(), 16)
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
            if not size:
                return b''.join(pieces)

    def do_POST(self):
        body, tokens = self.body(), self.headers.get_all('TOKEN', [])
        name = f'{sys.argv[1]}/{next(numbers)}'
        with open(f'{name}.body', 'wb') as file:
            file.write(body)
        with open(f'{name}.token', 'w', encoding='latin-1') as file:
            file.writelines(f'{token}\n' for token in tokens)
        self.send_response(200 if tokens else 403)
        self.send_header('Content-Length', '0')
        self.end_headers()

    do_GET = do_PUT = do_POST

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Taker)
print(server.server_port, flush=True)
server.serve_forever()
