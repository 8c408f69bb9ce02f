"""Makes the topics, as the team that runs Kafka would.

topics.py BROKERS
"""

from __future__ import annotations

import sys
import time

from confluent_kafka.admin import AdminClient, NewTopic

#: The second must have both replicas to be written to; the third lives on the second broker alone,
#: as a topic does that somebody made in a hurry.
TOPICS = [
    NewTopic("pix.transactions", 4, 2),
    NewTopic("pix.scores", 2, 2, config={"min.insync.replicas": "2"}),
    NewTopic("pix.audit", 1, replica_assignment=[[2]]),
]


def main() -> None:
    [brokers] = sys.argv[1:]
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 2})
    while len(admin.list_topics(timeout=60).brokers) < len(brokers.split(",")):
        time.sleep(0.5)
    for made in admin.create_topics(TOPICS, operation_timeout=30).values():
        made.result(60)


if __name__ == "__main__":
    main()
