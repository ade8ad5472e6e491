/**
 * zod compiles schemas with `new Function` where it may, and probes whether it may; under our CSP the probe alone counts
 * as a violation. Runs before any schema is made.
 */
import { config } from 'zod';

config({ jitless: true });
