/** S: what an edit of streams/ can break. */
import { capacityRules } from "./capacity.ts";
import { combinationRules } from "./combinations.ts";
import { consumerRules } from "./consumers.ts";
import { dataRules } from "./data.ts";
import { nameRules } from "./names.ts";
import { sourceRules } from "./sources.ts";
import { subjectRules } from "./subjects.ts";

export const streamRules = [
  ...nameRules,
  ...subjectRules,
  ...sourceRules,
  ...capacityRules,
  ...consumerRules,
  ...dataRules,
  ...combinationRules,
];
