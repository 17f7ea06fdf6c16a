import { argumentType, missingArgument, unknownArgument } from './arguments.ts';
import { badDefault } from './bad-default.ts';
import { badGlob } from './bad-glob.ts';
import { badTimestamp } from './bad-timestamp.ts';
import type { Check } from './check.ts';
import { checkCannotFail } from './check-cannot-fail.ts';
import { constantCondition } from './constant-condition.ts';
import { duplicateId } from './duplicate-id.ts';
import { finallyWaits } from './finally-waits.ts';
import { freeTextComparison } from './free-text-comparison.ts';
import { helperPlace } from './helper-place.ts';
import { keyWithoutEffect } from './key-without-effect.ts';
import { missingScript } from './missing-script.ts';
import { nameMatchesFile } from './name-matches-file.ts';
import { neverSucceeds } from './never-succeeds.ts';
import { notCacheable } from './not-cacheable.ts';
import { onceRetry } from './once-retry.ts';
import { reservedOutput } from './reserved-output.ts';
import { tooManySteps } from './too-many-steps.ts';
import { judgeAlone } from './judge-alone.ts';
import { unknownGroup } from './unknown-group.ts';
import { unknownModel } from './unknown-model.ts';
import { unknownTool } from './unknown-tool.ts';
import { unreachableStep } from './unreachable-step.ts';
import { unusedInput } from './unused-input.ts';

/** Every check that looks at one formula or molecule, in the order they run. */
export const ALL_CHECKS: readonly Check[] = [
  nameMatchesFile,
  duplicateId,
  badDefault,
  unknownArgument,
  missingArgument,
  argumentType,
  keyWithoutEffect,
  reservedOutput,
  notCacheable,
  onceRetry,
  neverSucceeds,
  finallyWaits,
  checkCannotFail,
  missingScript,
  badTimestamp,
  badGlob,
  unknownGroup,
  unknownModel,
  unknownTool,
  judgeAlone,
  unusedInput,
  unreachableStep,
  constantCondition,
  helperPlace,
  freeTextComparison,
  tooManySteps,
];
