// Loaded into the CDK CLI by the tests: it looks every 2 and 5 seconds at a stack that the emulator
// deploys in one or two, and has no option for that.
"use strict";

const { setTimeout: later } = globalThis;
const PAUSES = new Set([2000, 5000]);

globalThis.setTimeout = Object.assign(
  (act, milliseconds, ...rest) =>
    later(act, PAUSES.has(milliseconds) ? milliseconds / 20 : milliseconds, ...rest),
  later,
);
