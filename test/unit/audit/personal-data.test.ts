import { expect, test } from "vitest";
import { API_AUDIT, keeperOf, REFUSALS } from "../../../src/model/audit.ts";
import { covers } from "../../../src/model/subject.ts";
import { realModel } from "../../support/definitions.ts";

/** What the servers say of people, as `advisory.ts` reads it. */
const FIELDS = ["client.host", "client.user", "client.nkey", "client.name"];

test.each([API_AUDIT, REFUSALS])("%s says who it was: that is declared as personal, field by field", (subject) => {
  for (const environment of ["local", "staging", "production"] as const) {
    const publishers = keeperOf(subject, realModel(environment))?.publishers ?? [];
    const data = publishers
      .filter((publisher) => covers(publisher.subject, subject))
      .map((publisher) => publisher.data);
    expect(data).toEqual([expect.objectContaining({ sensitivity: "personal", fields: FIELDS })]);
  }
});
