/**
 * koffi, configured before any library is loaded (later it refuses): everything here that calls a native library imports
 * it from this file. TensorFlow optimises and computes on the calling thread, LAPACK likewise: the 128 KiB that an
 * asynchronous call gets by default would overflow. The memory is only touched as far as it is used.
 */
import koffi from 'koffi';

const callStackBytes = 8 * 2 ** 20;

koffi.config({ ...koffi.config(), sync_stack_size: callStackBytes, async_stack_size: callStackBytes });

export default koffi;
