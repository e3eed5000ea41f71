#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small stand-in for the model hub, for tests on the loopback address: FOLDER/OWNER/NAME/files are served as hub repositories.

    hub-server.py FOLDER [--port 0] [--fault break|wrong-hash|gated|html|slow|no-range] [--token TOKEN]

Answers as the real hub does, as far as its official Python client (huggingface_hub 2.4) checks it:
  GET  /api/models/ID[/revision/REV]        JSON: id, sha, siblings[{rfilename, size, lfs}], gated, private
  GET  /api/models/ID/tree/REV              JSON: [{type, path, size, oid, lfs{oid, size}}]
  HEAD, GET /ID/resolve/REV/FILE            ETag, X-Repo-Commit; files over 1 KB are "LFS": 302 to /cdn/..., X-Linked-Etag (sha256), X-Linked-Size
  GET  /cdn/... on another host (localhost for 127.0.0.1): the bytes, Range honoured; a token must not be sent there (the log shows it)
Missing repositories: 401 with X-Error-Code RepoNotFound (the hub does not tell them from private ones); missing files: 404 EntryNotFound;
missing revisions: 404 RevisionNotFound; gated ones without a right token: 403 GatedRepo (401 without any token).
Faults: break = the first GET of each large file ends after half; wrong-hash = one byte of it is changed; html = 200 with a page; slow = 200 kB/s; no-range = offsets are ignored.
Prints the port on its first line, then one line a request.
"""
import argparse, hashlib, json, os, re, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

p = argparse.ArgumentParser(); p.add_argument('folder'); p.add_argument('--port', type=int, default=0); p.add_argument('--fault'); p.add_argument('--token')
o = p.parse_args(); SHA = '0123456789abcdef0123456789abcdef01234567'; broken = set()


def sha256(f): return hashlib.sha256(open(f, 'rb').read()).hexdigest()
def blob(f):
    b = open(f, 'rb').read(); return hashlib.sha1(b'blob %d\0' % len(b) + b).hexdigest()


class Hub(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *a): pass
    def say(self, status, headers=None, body=b''):
        self.send_response(status)
        for k, v in (headers or {}).items(): self.send_header(k, str(v))
        if 'Content-Length' not in (headers or {}): self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD': self.wfile.write(body)
        self.log(status)
    def log(self, *what):
        words = [self.command, self.path, *map(str, what), 'token' if self.headers.get('Authorization') else '']
        sys.stdout.write(' '.join(words) + '\n'); sys.stdout.flush()  # one write, since requests come on several threads
    def error(self, status, code, text): self.say(status, {'X-Error-Code': code, 'X-Error-Message': text, 'Content-Type': 'application/json'}, json.dumps({'error': text}).encode())
    def repository(self, owner_name):
        d = os.path.join(o.folder, owner_name)
        if not re.fullmatch(r'[\w.-]+(/[\w.-]+)?', owner_name) or not os.path.isdir(d): self.error(401, 'RepoNotFound', 'Invalid username or password.'); return None
        return d
    def allowed(self):
        if o.fault != 'gated': return True
        t = (self.headers.get('Authorization') or '').removeprefix('Bearer ')
        if t and t == o.token: return True
        self.error(403 if t else 401, 'GatedRepo', 'Access to model is restricted.'); return False
    def do_HEAD(self): self.do_GET()
    def do_GET(self):
        if o.fault == 'html': return self.say(200, {'Content-Type': 'text/html'}, b'<html><body>Please log in to the network.</body></html>')
        m = re.fullmatch(r'/api/models/([^?]+?)/tree/([^/?]+)(?:\?.*)?', self.path)
        if m:
            d = self.repository(m[1])
            if not d: return
            if m[2] not in ('main', SHA): return self.error(404, 'RevisionNotFound', f'Invalid rev id: {m[2]}')
            t = []
            for f in sorted(os.path.relpath(os.path.join(r, f), d) for r, _, fs in os.walk(d) for f in fs):
                n = os.path.getsize(os.path.join(d, f)); t.append({'type': 'file', 'oid': blob(os.path.join(d, f)), 'size': n, 'path': f})
                if n > 1024: t[-1]['lfs'] = {'oid': sha256(os.path.join(d, f)), 'size': n, 'pointerSize': 134}
            return self.say(200, {'Content-Type': 'application/json'}, json.dumps(t).encode())
        m = re.fullmatch(r'/api/models/([^?]+?)(?:/revision/([^/?]+))?(?:\?.*)?', self.path)
        if m:
            d = self.repository(m[1])
            if not d: return
            if m[2] not in (None, 'main', SHA): return self.error(404, 'RevisionNotFound', f'Invalid rev id: {m[2]}')
            files = sorted(os.path.relpath(os.path.join(r, f), d) for r, _, fs in os.walk(d) for f in fs); s = []
            for f in files:
                n = os.path.getsize(os.path.join(d, f)); e = {'rfilename': f}
                if 'blobs=true' in self.path or 'blobs=1' in self.path:
                    e.update(size=n, blobId=blob(os.path.join(d, f)))
                    if n > 1024: e['lfs'] = {'sha256': sha256(os.path.join(d, f)), 'size': n, 'pointerSize': 134}
                s.append(e)
            return self.say(200, {'Content-Type': 'application/json'}, json.dumps({'_id': '1', 'id': m[1], 'modelId': m[1], 'sha': SHA, 'private': False, 'gated': 'manual' if o.fault == 'gated' else False, 'disabled': False, 'tags': [], 'siblings': s}).encode())
        m = re.fullmatch(r'/(.+?)/resolve/([^/]+)/([^?]+)(?:\?.*)?', self.path)
        if m:
            d = self.repository(m[1])
            if not d or not self.allowed(): return
            if m[2] not in ('main', SHA): return self.error(404, 'RevisionNotFound', f'Invalid rev id: {m[2]}')
            f = os.path.normpath(os.path.join(d, m[3]))
            if not f.startswith(os.path.abspath(d) + os.sep) and not f.startswith(d + os.sep) or not os.path.isfile(f): return self.say(404, {'X-Error-Code': 'EntryNotFound', 'X-Error-Message': 'Entry not found', 'X-Repo-Commit': SHA}, b'Entry not found')
            n = os.path.getsize(f); h = {'X-Repo-Commit': SHA, 'Accept-Ranges': 'bytes'}
            if n <= 1024: return self.say(200, {**h, 'ETag': f'"{blob(f)}"', 'Content-Type': 'text/plain', 'Content-Length': n}, open(f, 'rb').read())
            return self.say(302, {**h, 'Location': f'http://localhost:{self.server.server_address[1]}/cdn/{m[1]}/{m[3]}?signature=x', 'X-Linked-Etag': f'"{sha256(f)}"', 'X-Linked-Size': n, 'ETag': f'"{blob(f)}"'})
        m = re.fullmatch(r'/cdn/([^?]+)(?:\?.*)?', self.path)
        if m and os.path.isfile(os.path.join(o.folder, m[1])):
            b = open(os.path.join(o.folder, m[1]), 'rb').read(); a = 0; e = len(b)
            if o.fault == 'wrong-hash': b = b[:-1] + bytes([b[-1] ^ 1])
            r = re.match(r'bytes=(\d+)-(\d*)', self.headers.get('Range') or '') if o.fault != 'no-range' else None
            if r: a = int(r[1]); e = min(e, int(r[2]) + 1 if r[2] else e)
            if a > len(b): return self.say(416, {'Content-Range': f'bytes */{len(b)}'})
            self.send_response(206 if r else 200); self.send_header('Content-Length', str(e - a)); self.send_header('Accept-Ranges', 'bytes')
            if r: self.send_header('Content-Range', f'bytes {a}-{e-1}/{len(b)}')
            self.end_headers(); self.log(206 if r else 200, f'{a}-{e}')
            if self.command == 'HEAD': return
            cut = o.fault == 'break' and m[1] not in broken; broken.add(m[1])
            body = b[a:a + (e - a) // 2] if cut else b[a:e]
            for i in range(0, len(body), 20000):
                self.wfile.write(body[i:i + 20000])
                if o.fault == 'slow': time.sleep(0.1)
            if cut: self.close_connection = True; self.connection.close()
            return
        self.say(404, {'Content-Type': 'text/html'}, b'<html>404</html>')


s = ThreadingHTTPServer(('127.0.0.1', o.port), Hub); print(s.server_address[1], flush=True); s.serve_forever()
