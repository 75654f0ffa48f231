import { expect, test } from "vitest";
import { byteSize, duration, renderConfig } from "../../../src/nats/config-file.ts";

test("values are written so that the server reads back what was meant", () => {
  const config = {
    name: { variable: "SERVER_NAME" },
    text: 'with "quotes", $dollars and 12345',
    size: byteSize(1.5 * 1024 ** 3),
    odd: byteSize(1_000_001),
    wait: duration(30e9),
    on: true,
    block: { list: ["a", "b"], empty: [], key: { include: "../nats-key/key.conf" } },
    auth: { include: "../nats-auth/auth.conf" },
  };
  expect(renderConfig(config)).toBe(`name: $SERVER_NAME
text: "with \\"quotes\\", $dollars and 12345"
size: 1536MiB
odd: 1000001
wait: "30s"
on: true
block {
  list: [
    "a"
    "b"
  ]
  empty: []
  include ../nats-key/key.conf
}
include ../nats-auth/auth.conf
`);
});
