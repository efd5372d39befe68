def packed_rows(shape):
    import numpy as np
    return np.zeros(1,np.int32)
def wide_source(shape): raise NotImplementedError
def wide_scratch(shape): raise NotImplementedError
