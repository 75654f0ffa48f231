import { expect, test } from "vitest";
import { heldData } from "../../../src/model/personal-data.ts";
import { formatDuration } from "../../../src/units.ts";
import { realModel } from "../../support/definitions.ts";

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
