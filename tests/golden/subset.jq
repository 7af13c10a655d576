# What the expected value asks for and the actual one hasn't: one line each, nothing if all is
# there. Objects may have more keys than expected; lists have to have the same length, and their
# elements are expected in any order. An expected null may be absent.
def differences($expected; $actual; $path):
	if ($expected | type) == "object" then
		if ($actual | type) != "object" then "\($path): expected an object"
		else
			$expected | to_entries[] | .key as $key |
			if .value != null and ($actual | has($key) | not) then
				"\($path).\($key): missing, expected \(.value | tojson)"
			else differences(.value; $actual[$key]; "\($path).\($key)")
			end
		end
	elif ($expected | type) == "array" then
		if ($actual | type) != "array" then "\($path): expected a list"
		elif ($actual | length) != ($expected | length) then
			"\($path): \($actual | length) elements, expected \($expected | length): \($actual | tojson)"
		else
			$expected[] | . as $element |
			if any($actual[]; [differences($element; .; "")] == []) then empty
			else "\($path): no element has \($element | tojson) in \($actual | tojson)"
			end
		end
	elif $expected == $actual then empty
	else "\($path): \($actual | tojson), expected \($expected | tojson)"
	end;

differences($expected[0]; .; "")
