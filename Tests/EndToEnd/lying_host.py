# SPDX-License-Identifier: Apache-2.0
"""A host that lies: it stands between a requester and a server, and changes what passes, as it is told."""
import http.client
import http.server
import json
import threading
import urllib.parse


def unchanged(value):
    return value


class LyingHost:
    """A proxy of a server's API on a port of its own. It is honest until one of its `change_…` is replaced."""

    def __init__(self, url):
        self.server = urllib.parse.urlsplit(url)
        # JSON of a submission → JSON that the server gets.
        self.change_submission = unchanged
        # Lines of an event stream, each with its newline → lines.
        self.change_events = unchanged
        # The bytes of a result.
        self.change_result = unchanged
        # The id of a job that is shown to whoever submits.
        self.stands_for_all = None
        # What was submitted last, before it was changed: headers and body.
        self.upload = None
        self.jobs = []
        # The event stream that was shown last, as it was shown.
        self.shown = b""
        self.is_submitted = threading.Condition()
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.host = self

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_port}"

    def job(self, seconds):
        """The id of the job that was submitted last; waits for one."""
        with self.is_submitted:
            assert self.is_submitted.wait_for(lambda: self.jobs, seconds), f"nothing was submitted within {seconds} s"
            return self.jobs[-1]

    def answer_with(self, job):
        """Nothing that is submitted from now on reaches the server: an earlier job stands for it."""
        self.stands_for_all = job

    def submit(self, body):
        """Submits JSON through this host."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http.server_port, timeout=60)
        connection.request("POST", "/build", json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()


class Handler(http.server.BaseHTTPRequestHandler):
    """One request: read whole, changed, handed on; the answer changed and given back."""
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        host = self.server.host
        body = self.body()
        if self.command == "POST":
            host.upload = (dict(self.headers), self.path, body)
            if "json" in self.headers.get("content-type", ""):
                body = json.dumps(host.change_submission(json.loads(body))).encode()
            if host.stands_for_all:
                return self.accept(host.stands_for_all)
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() not in ("host", "transfer-encoding", "content-length", "connection")}
        connection = http.client.HTTPConnection(host.server.hostname, host.server.port, timeout=900)
        connection.request(self.command, self.path, body=body or None, headers=headers)
        try:
            self.give_back(connection.getresponse())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            connection.close()

    do_GET = do_POST = do_DELETE = do_HEAD = handle_request

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(iter(self.chunk, b""))
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def chunk(self):
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def accept(self, job):
        body = json.dumps({"job_id": job}).encode()
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def give_back(self, response):
        host = self.server.host
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.close_connection = True
        if "event-stream" in response.headers.get("content-type", ""):
            self.end_headers()
            host.shown = b""
            for line in host.change_events(iter(response.readline, b"")):
                host.shown += line
                self.wfile.write(line)
                self.wfile.flush()
            return
        body = response.read()
        if self.command == "POST" and response.status == 202:
            with host.is_submitted:
                host.jobs.append(json.loads(body)["job_id"])
                host.is_submitted.notify_all()
        elif self.path.endswith("/result") and response.status == 200:
            body = host.change_result(body)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
