// Of Gloo's header nothing is needed here.
#pragma once
