import { expect, test } from "vitest";
import { requested } from "../../../src/audit/requests.ts";

test.each([
  ["STREAM.CREATE.circl_iot", "create", "stream", "circl_iot"],
  ["STREAM.UPDATE.circl_iot", "update", "stream", "circl_iot"],
  ["STREAM.DELETE.circl_iot", "delete", "stream", "circl_iot"],
  ["STREAM.PURGE.circl_iot", "purge", "stream", "circl_iot"],
  ["STREAM.RESTORE.circl_iot", "restore", "stream", "circl_iot"],
  ["STREAM.SNAPSHOT.circl_iot", "snapshot", "stream", "circl_iot"],
  ["STREAM.MSG.DELETE.circl_iot", "delete message", "stream", "circl_iot"],
  ["STREAM.LEADER.STEPDOWN.circl_iot", "move leader", "stream", "circl_iot"],
  ["STREAM.PEER.REMOVE.circl_iot", "remove peer", "stream", "circl_iot"],
  ["CONSUMER.CREATE.circl_iot", "create", "consumer", "circl_iot"],
  ["CONSUMER.CREATE.circl_iot.bff", "create", "consumer", "circl_iot/bff"],
  ["CONSUMER.CREATE.circl_iot.bff.circl.iot.>", "create", "consumer", "circl_iot/bff"],
  ["CONSUMER.DURABLE.CREATE.circl_iot.bff", "create", "consumer", "circl_iot/bff"],
  ["CONSUMER.DELETE.circl_iot.bff", "delete", "consumer", "circl_iot/bff"],
  ["CONSUMER.PAUSE.circl_iot.bff", "pause", "consumer", "circl_iot/bff"],
  ["CONSUMER.UNPIN.circl_iot.bff", "unpin", "consumer", "circl_iot/bff"],
  ["CONSUMER.RESET.circl_iot.bff", "reset", "consumer", "circl_iot/bff"],
  ["CONSUMER.LEADER.STEPDOWN.circl_iot.bff", "move leader", "consumer", "circl_iot/bff"],
  ["META.LEADER.STEPDOWN", "move leader", "cluster", ""],
  ["SERVER.REMOVE", "remove server", "cluster", ""],
])("%s is a change", (request, action, kind, name) => {
  expect(requested(`$JS.API.${request}`)).toEqual({ action, kind, name });
});

test.each([
  "STREAM.INFO.circl_iot",
  "STREAM.NAMES",
  "STREAM.LIST",
  "STREAM.MSG.GET.circl_iot",
  "CONSUMER.INFO.circl_iot.bff",
  "CONSUMER.LIST.circl_iot",
  "CONSUMER.NAMES.circl_iot",
  "INFO",
])("%s is none", (request) => {
  expect(requested(`$JS.API.${request}`)).toBeUndefined();
});
