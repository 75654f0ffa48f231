import { expect, test } from "vitest";
import { heldData } from "../../../src/model/personal-data.ts";
import { formatDuration } from "../../../src/units.ts";
import { modelWith, orders, realModel } from "../../support/definitions.ts";

test("a position lives for the ages of every stream on its way, added up", () => {
  const model = realModel("production");
  const location = model.streams.flatMap((stream) =>
    heldData(stream, model)
      .filter(({ subject }) => subject === "circl.iot.location.>")
      .map(({ path, lives }) => `${path.join(" > ")}: ${formatDuration(lives)}`),
  );
  expect(location).toEqual([
    "circl_iot: 7d",
    "circl_iot > circl_iot_location: 14d",
    "circl_iot > circl_dlq: 37d",
    "circl_iot > circl_iot_location > circl_dlq: 44d",
  ]);
});

test("two filters on one origin bring what either lets through", () => {
  const data = { sensitivity: "personal", purpose: "deliver", fields: ["customerId"], keepAtMost: "2d" } as const;
  const model = modelWith({
    streams: [
      {
        ...orders,
        publishers: [
          { service: "oms", subject: "orders.a", data },
          { service: "oms", subject: "orders.b", data: { sensitivity: "internal" } },
        ],
      },
      {
        name: "copy",
        sources: [
          { name: "orders", filterSubject: "orders.a" },
          { name: "orders", filterSubject: "orders.b" },
        ],
        maxBytes: "1GiB",
      },
    ],
  });
  const copy = model.streams[1];
  expect(copy && heldData(copy, model).map(({ subject }) => subject)).toEqual(["orders.a", "orders.b"]);
});
