/**
 * Entry of the page. The token leaves the address before the router reads (and keeps) it, and zod is told not to compile
 * its schemas before any is made; only then is the rest loaded.
 */
import './zodWithoutEval.ts';
import { takeToken } from './engine/token.ts';

takeToken();
void import('./start.ts');
