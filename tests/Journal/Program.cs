using ControlPlane.Journal.Tests;

// Started by PowerLossTests only; the test runner loads this assembly as a library.
return args is ["append", var file, var round, var entities]
    ? await Appender.Run(file, round, int.Parse(entities, null))
    : 2;
