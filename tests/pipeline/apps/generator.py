"""Customers: Pix payments as they are ordered, into Kafka.

    generator.py BROKERS ORDERS

Orders: `rate` in payments a second; `dearer`, what is added to the logarithm of each amount;
`blank`, whether payments come without their amount; `huge`, whether some have
far too many digits; `poison`, payments with an amount that is no
number; `oversized`, payments larger than a broker takes; `misshapen`, payments that lack a feature.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from tests.pipeline.apps.habits import payments
from tests.pipeline.apps.orders import Orders

TOPIC = "pix.transactions"
_CYCLE = 5_000  # payments, then the same again


class Customers:
    def __init__(self, brokers: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": brokers,
                "message.max.bytes": 5_000_000,
                "linger.ms": 5,
                "message.timeout.ms": 20_000,
                "log_level": 2,
            }
        )
        self._rows, self._fraud = payments(_CYCLE, seed=4)
        self._sent = 0

    def order(self, orders: dict[str, Any]) -> None:
        number = self._sent
        self._sent += 1
        features = [float(value) for value in self._rows[number % _CYCLE]]
        features[0] += orders["dearer"]
        if orders["misshapen"]:
            features.pop()
        self._send(
            {
                "id": str(number),
                "payer": f"payer-{number % 50}",
                "channel": ("app", "bank")[number % 2],
                "amount": None if orders["blank"] else f"{math.exp(features[0]):.2f}",
                "ordered_at": time.time(),
                "features": features,
                "fraud": bool(self._fraud[number % _CYCLE]),
            }
        )

    def odd(self, orders: dict[str, Any]) -> None:
        """What nobody should send, two a second while it is ordered."""
        payment = {"id": "odd", "channel": "app", "ordered_at": time.time()}
        if orders["poison"]:
            self._send({**payment, "amount": "R$ 1.000,00"})
        if orders["huge"]:
            self._send({**payment, "amount": "99999999.99"})
        if orders["oversized"]:
            self._send({**payment, "amount": "1", "note": "x" * 400_000})

    def _send(self, payment: dict[str, Any]) -> None:
        self._producer.produce(TOPIC, json.dumps(payment))
        self._producer.poll(0)


def main() -> None:
    brokers, orders_path = sys.argv[1:]
    customers, orders = Customers(brokers), Orders(Path(orders_path))
    began, due = time.monotonic(), 0.0
    while True:
        now = orders.read()
        for _ in range(round(now["rate"] / 2)):
            customers.order(now)
            time.sleep(0.3 / max(now["rate"], 1))
        customers.odd(now)
        due += 0.5
        behind = time.monotonic() - began - due
        if behind > 0:
            due += behind  # late is late: no burst follows a pause
        time.sleep(max(0.0, -behind))


if __name__ == "__main__":
    main()
