/** S: what an edit of streams/ can break. */
import { bucketRules } from "./buckets.ts";
import { capacityRules } from "./capacity.ts";
import { combinationRules } from "./combinations.ts";
import { consumerSettingRules } from "./consumer-settings.ts";
import { consumerRules } from "./consumers.ts";
import { dataRules } from "./data.ts";
import { flowAcknowledgementRules } from "./flow-acknowledgement.ts";
import { limitRules } from "./limits.ts";
import { nameRules } from "./names.ts";
import { originRules } from "./origins.ts";
import { priorityRules } from "./priority.ts";
import { publisherRules } from "./publishers.ts";
import { pushConsumerRules } from "./push-consumers.ts";
import { sourceRules } from "./sources.ts";
import { subjectRules } from "./subjects.ts";
import { transformRules } from "./transforms.ts";
import { workQueueRules } from "./work-queues.ts";

export const streamRules = [
  ...nameRules,
  ...bucketRules,
  ...subjectRules,
  ...transformRules,
  ...sourceRules,
  ...originRules,
  ...capacityRules,
  ...limitRules,
  ...consumerRules,
  ...consumerSettingRules,
  ...pushConsumerRules,
  ...priorityRules,
  ...flowAcknowledgementRules,
  ...dataRules,
  ...combinationRules,
  ...workQueueRules,
  ...publisherRules,
];
