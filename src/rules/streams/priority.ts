/** Priority groups: which of several readers of one consumer is served first (2.11, ADR-42). */
import type { Model } from "../../model/resolve.ts";
import type { Rule } from "../rule.ts";
import { checkConsumers, type Row, type SeenConsumer } from "./rows.ts";

/** What the server's own pattern takes (consumer.go, validGroupName). */
const GROUP = /^[a-zA-Z0-9/_=-]{1,16}$/;

const PRIORITY_ROWS: readonly Row<SeenConsumer>[] = [
  {
    at: "priorityPolicy",
    what: "priorityPolicy without priorityGroups",
    why: "a policy is about the requests of a group",
    errCode: 10159,
    when: ({ consumer: { priorityPolicy, priorityGroups = [], deliverSubject } }) =>
      priorityPolicy !== undefined && priorityGroups.length === 0 && deliverSubject === undefined,
  },
  {
    at: "priorityGroups",
    what: "priorityGroups without priorityPolicy",
    why: "nobody says whose requests come first",
    errCode: 10196,
    when: ({ consumer: { priorityPolicy, priorityGroups = [] } }) =>
      priorityPolicy === undefined && priorityGroups.length > 0,
  },
  {
    at: "priorityTimeout",
    what: "priorityTimeout without priorityPolicy",
    why: "no client is pinned that could fall silent",
    errCode: 10197,
    when: ({ consumer: { priorityPolicy, priorityGroups = [], priorityTimeout = 0 } }) =>
      priorityPolicy === undefined && priorityGroups.length === 0 && priorityTimeout > 0,
  },
  {
    at: "priorityTimeout",
    what: "priorityTimeout without a pinned client",
    why: "the server takes it and does nothing with it",
    when: ({ consumer: { priorityPolicy, priorityTimeout = 0 } }) =>
      priorityPolicy !== undefined && priorityPolicy !== "pinned_client" && priorityTimeout > 0,
  },
  {
    at: "priorityGroups",
    what: "a group whose name the server does not take",
    why: "1 to 16 letters, digits, and any of - _ / =",
    errCode: 10162,
    when: ({ consumer: { priorityPolicy, priorityGroups = [], deliverSubject } }) => {
      const wrong = priorityGroups.find((group) => !GROUP.test(group));
      return priorityPolicy !== undefined && deliverSubject === undefined && wrong !== undefined && `"${wrong}"`;
    },
  },
  {
    at: "priorityPolicy",
    what: "priorityPolicy of a push consumer",
    why: "nobody asks for messages, so nobody is served first",
    errCode: 10178,
    when: ({ consumer: { priorityPolicy, deliverSubject } }) =>
      priorityPolicy !== undefined && deliverSubject !== undefined,
  },
];

const refusedPriority: Rule<Model> = {
  code: "S049",
  severity: "error",
  title: "Priority groups that the server refuses",
  reason: "A policy and the groups that it is for go together, and only readers that ask for messages can be in one.",
  hint: "Say priorityPolicy and priorityGroups of a pull consumer, or neither.",
  rows: PRIORITY_ROWS,
  check: (model) => checkConsumers(PRIORITY_ROWS, model),
};

export const priorityRules = [refusedPriority];
