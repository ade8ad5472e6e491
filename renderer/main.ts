/** Entry of the page. Everything that makes zod schemas is loaded after zod is told not to compile them. */
import './zodWithoutEval.ts';

void import('./start.ts');
