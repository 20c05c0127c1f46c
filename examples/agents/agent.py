"""The report agent in Python, with nothing but its standard library: python3 agent.py"""

import json
import os
import time
import urllib.error
import urllib.request

GATEWAY = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8100")
AGENT = os.environ.get("AGENT", "acme/production/report-service")
HEADERS = {"content-type": "application/json", "x-api-key": os.environ.get("API_KEY", "")}


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(GATEWAY + path, data, HEADERS, method=method)
    return urllib.request.urlopen(request, timeout=60)


def persist(attempt):
    """Tries until the gateway answers: it may be away, or being restarted."""
    pause = 0.5
    while True:
        try:
            return attempt()
        except OSError as error:  # no connection, or an error status
            if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429:
                raise  # it has answered, and would answer the same again
            print("the gateway is away:", error, flush=True)
            time.sleep(pause)
            pause = min(pause * 2, 15)


def listen():
    """The ids of what is sent to the agent, for ever. After a restart it begins at 0: with all that has not ended."""
    cursor = 0

    def batch():
        path = f"/v1/agents/{AGENT}/intents/stream?since={cursor}&wait_seconds=20"
        with call("GET", path) as stream:  # it ends after the first events, or when there were none
            return [json.loads(line[6:]) for line in stream if line.startswith(b"data: ")]

    while True:
        for event in persist(batch):
            if "intent_id" in event:
                yield event["intent_id"]
                cursor = event["seq"]


def generate_report(payload):
    for second in range(payload.get("seconds", 3)):
        time.sleep(1)
        print(f"{second + 1} s of work", flush=True)
    return {"report_url": f"https://reports.example/{payload['quarter']}.pdf", "language": "Python"}


def take(intent_id):
    """Reads an intent; by that its agent has taken it."""
    with call("GET", f"/v1/intents/{intent_id}") as answer:
        return json.load(answer)["intent"]


print(f"listening as {AGENT}", flush=True)
for intent_id in listen():
    intent = persist(lambda: take(intent_id))
    if intent["status"] in ("COMPLETED", "FAILED", "CANCELED", "TIMED_OUT"):
        continue
    payload = intent["payload"]
    print(f"working on {intent_id}", flush=True)
    try:
        # In a scenario, what the scenario was given is a part of what its step is given.
        result = {"action": "complete", **generate_report(payload.get("parent_payload", payload))}
    except Exception as error:
        result = {"action": "fail", "message": str(error)}
    try:
        persist(lambda: call("POST", f"/v1/intents/{intent_id}/resume", result).close())
        print(f"handed in {intent_id}", flush=True)
    except urllib.error.HTTPError as error:  # it was canceled, or is too late
        print(f"not taken: {error}", flush=True)
