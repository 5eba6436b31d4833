"""A Lambda runtime in a few lines: imports the handler, then asks for invocations and answers them."""

import json
import os
import urllib.request

import handler

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def main() -> None:
    """Serves until the Runtime API goes away."""
    while True:
        with urllib.request.urlopen(f"{RUNTIME}/next") as invocation:
            request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.load(invocation)
        try:
            path, answer = "response", handler.handler(event, request_id)
        except Exception as error:
            path, answer = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
        body = json.dumps(answer).encode()
        urllib.request.urlopen(urllib.request.Request(f"{RUNTIME}/{request_id}/{path}", data=body)).close()


if __name__ == "__main__":
    main()
