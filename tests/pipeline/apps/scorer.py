"""The consumer group `fraud-scorer`: reads payments, asks the scoring service, tells its decisions.

    scorer.py BROKERS SCORING_URL ORDERS

Orders: with `labels` it also tells the scoring service the truth about each payment, as chargebacks
do. A payment that the service does not score goes on without a score.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import requests
from confluent_kafka import Consumer, Message, Producer

from tests.pipeline.apps.orders import Orders

_TOPIC, _ANSWERS = "pix.transactions", "pix.scores"


class Scorer:
    def __init__(self, brokers: str, scoring: str) -> None:
        servers = {"bootstrap.servers": brokers, "log_level": 2}
        self._consumer = Consumer(
            {
                **servers,
                "group.id": "fraud-scorer",
                "auto.offset.reset": "earliest",
                "auto.commit.interval.ms": 1_000,
                "session.timeout.ms": 60_000,
            }
        )
        self._consumer.subscribe([_TOPIC])
        self._producer = Producer({**servers, "acks": "all", "message.timeout.ms": 5_000})
        self._http = requests.Session()
        self._http.trust_env = False
        self._scoring = scoring

    def step(self, orders: dict[str, Any]) -> None:
        message = self._consumer.poll(0.5)
        if message is None or message.error():
            return
        payment = json.loads(_value(message))
        if "features" not in payment:
            return
        answer = self._post("score", {name: payment[name] for name in ("features", "ordered_at")})
        if answer is None:
            return
        self._producer.produce(_ANSWERS, json.dumps({"id": payment["id"], **answer}))
        self._producer.poll(0)
        if orders["labels"]:
            known = {name: answer[name] for name in ("decision", "version")}
            self._post("labels", {"fraud": payment["fraud"], **known})

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            answer = self._http.post(f"{self._scoring}/{path}", json=body, timeout=10)
            return answer.json() if answer.ok else None
        except requests.RequestException:
            time.sleep(0.2)
            return None


def _value(message: Message) -> bytes:
    return message.value() or b"{}"


def main() -> None:
    brokers, scoring, orders_path = sys.argv[1:]
    scorer, orders = Scorer(brokers, scoring), Orders(Path(orders_path))
    while True:
        scorer.step(orders.read())


if __name__ == "__main__":
    main()
