# For Doxygen: a heading of a header, "// --- Choice (file.cpp) ----" and the lines of comment below it, begins a group of members.
/^\/\/ --- / {
  if (in_group) print "///@}"
  sub(/^\/\/ --- /, "")
  sub(/ -+$/, "")
  print "/// @name " $0
  print "/// "
  in_heading = in_group = 1
  next
}
in_heading && /^\/\/ / { print "/" $0; next }
in_heading { print "///@{"; in_heading = 0 }
in_group && /^}  \/\/ namespace/ { print "///@}"; in_group = 0 }
{ print }
