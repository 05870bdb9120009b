#!/bin/sh
# The access rights that lockkeeper needs and no more, for the topics of topics.sh, and who may write events.
#
#   BOOTSTRAP=kafka:9092 SERVICE=User:lockkeeper deploy/kafka/acls.sh
#
# PRODUCERS, AGENTS and READERS name the principals of producers of events, of those who may unlock, and of readers of
# decisions. KAFKA_ACLS names Kafka's tool, COMMAND_CONFIG a file with its security settings.
set -eu
: "${BOOTSTRAP:=localhost:9092}" "${SERVICE:=User:lockkeeper}" "${PRODUCERS:=User:wallet}" "${AGENTS:=User:customer-service}"
: "${READERS:=User:gateway}" "${KAFKA_ACLS:=kafka-acls.sh}"

allow() {
    principal=$1
    shift
    "$KAFKA_ACLS" --bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} \
        --add --allow-principal "$principal" "$@"
}

# What it reads, and who stamps records there.
for topic in wallet-events wallet-control; do
    allow "$SERVICE" --operation Read --operation Describe --operation DescribeConfigs --topic "$topic"
done
allow "$SERVICE" --operation Read --operation Write --operation Describe --topic lockkeeper-journal
for topic in decisions lock-events locks dlq.wallet-events dlq.wallet-control; do
    allow "$SERVICE" --operation Write --operation Describe --topic "$topic"
done
allow "$SERVICE" --operation Read --group lockkeeper
allow "$SERVICE" --operation Write --operation Describe --transactional-id lockkeeper

# Others. Whoever writes to the control topic can unlock anybody.
allow "$PRODUCERS" --operation Write --operation Describe --topic wallet-events
allow "$AGENTS" --operation Write --operation Describe --topic wallet-control
for topic in decisions lock-events locks dlq.wallet-events dlq.wallet-control; do
    allow "$READERS" --operation Read --operation Describe --topic "$topic"
done
