// SPDX-License-Identifier: LGPL-2.1-only
#include "kmemtape/judgement.h"

const char *kmt_class_name(enum kmt_class class)
{
	static const char *const names[] = {
		[KMT_CLASS_NONE] = "none",	     [KMT_CLASS_TRANSIENT] = "transient",
		[KMT_CLASS_CACHE] = "cache",	     [KMT_CLASS_UNTRACED] = "untraced-frees",
		[KMT_CLASS_UNCERTAIN] = "uncertain", [KMT_CLASS_GROWTH] = "growth",
		[KMT_CLASS_LEAK] = "leak",
	};

	return names[class];
}

const char *kmt_shape_name(enum kmt_shape shape)
{
	static const char *const names[] = {
		[KMT_SHAPE_NONE] = "none",	     [KMT_SHAPE_FLAT] = "flat",
		[KMT_SHAPE_LINEAR] = "linear",	     [KMT_SHAPE_STEPS] = "steps",
		[KMT_SHAPE_PLATEAU] = "plateau",     [KMT_SHAPE_SAWTOOTH] = "sawtooth",
		[KMT_SHAPE_TRANSIENT] = "transient",
	};

	return names[shape];
}
