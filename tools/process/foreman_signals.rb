# Loaded into foreman by bin/run (RUBYLIB, RUBYOPT), which makes two signals end it as they end any other program.
#
# foreman's reader thread dies when its output is closed (`| head`) or its terminal gone, and foreman then goes on
# without reading its pipes. SIGPIPE therefore has its default, and SIGHUP too, unless it is ignored as under nohup. The
# supervisors end when foreman has ended.
require "foreman/engine"

Foreman::Engine.prepend(Module.new do
  def register_signal_handlers
    hangup = trap("HUP", "SYSTEM_DEFAULT")
    super
    trap("HUP", hangup == "IGNORE" ? "IGNORE" : "SYSTEM_DEFAULT")
    trap("PIPE", "SYSTEM_DEFAULT")
  end
end)
