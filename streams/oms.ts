import { defineConsumer, defineStream } from "../src/model/stream.ts";

const personal = {
  sensitivity: "personal",
  purpose: "take and fulfil orders",
  fields: ["customerId", "orderId", "items", "totalAmount"],
  keepAtMost: "40d",
} as const;

/** Orders, what happens to them on the way, and the commands that change them. */
const circlOms = defineStream({
  name: "circl_oms",
  description: "Orders, deliveries and commands to the order system",
  subjects: ["circl.oms.>"],
  retention: "limits",
  storage: "file",
  discard: "old",
  replicas: 3,
  maxConsumers: -1,
  maxMsgs: 1_000_000,
  maxBytes: "1GiB",
  maxAge: "7d",
  maxMsgSize: "1MiB",
  duplicateWindow: "2m",
  in: { staging: { maxMsgs: 100_000, maxBytes: "100MiB", maxAge: "3d", replicas: 1 } },
  deadLetters: "circl.dlq.oms.>",
  publishers: [
    { service: "oms", subject: "circl.oms.order.>", rate: "100/s", size: "2KiB", data: personal },
    { service: "dms", subject: "circl.oms.delivery.>", rate: "50/s", size: "1KiB", data: personal },
    { service: "bff", subject: "circl.oms.command.>", rate: "20/s", size: "1KiB", data: personal },
  ],
  consumers: [
    defineConsumer({ name: "oms-commands", service: "oms", filterSubject: "circl.oms.command.>" }),
    defineConsumer({ name: "oms-delivery", service: "oms", filterSubject: "circl.oms.delivery.>" }),
    defineConsumer({ name: "dms-orders", service: "dms", filterSubject: "circl.oms.order.>" }),
    defineConsumer({ name: "bff-orders", service: "bff" }),
  ],
});

export const streams = [circlOms];
