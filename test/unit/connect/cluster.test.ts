import { expect, test } from "vitest";
import { appliedOf } from "../../../src/connect/cluster.ts";

const answer = (status: number, body: object) => ({ status, text: JSON.stringify(body) });
const thrown = (status: number) => {
  try {
    return appliedOf(answer(status, { message: "it says why" }));
  } catch (error) {
    return error;
  }
};

test.each([408, 429, 500, 503, 504])(
  "an apply that is answered with %i may be repeated, and is no refusal",
  (status) => {
    expect(thrown(status)).toMatchObject({
      name: "ConnectionFailure",
      passing: true,
      message: "applying: it says why. Run the same command again: what is done stays done.",
    });
  },
);

test("an apply without a login is not repeated, and no refusal either", () => {
  expect(thrown(401)).toMatchObject({
    name: "ConnectionFailure",
    passing: false,
    message: expect.stringContaining("Log in again"),
  });
});

test.each([400, 403, 409, 422])("an apply that is answered with %i is refused", (status) => {
  expect(thrown(status)).toEqual({ outcome: "refused", status, says: "it says why" });
});

test("fields of others are named with their owners", () => {
  const causes = [
    { reason: "FieldManagerConflict", message: 'conflict with "hpa" using apps/v1', field: ".spec.replicas" },
  ];
  expect(appliedOf(answer(409, { details: { causes } }))).toEqual({
    outcome: "conflict",
    conflicts: [{ field: "spec.replicas", owner: "hpa" }],
  });
});
